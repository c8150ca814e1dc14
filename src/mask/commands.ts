/** The quote before a word of a command line, and the word. */
const [quote, word] = [`["']?`, `[^\\s"'$<…-][^\\s"']{2,}`]
/** A command and the words between it and its option. */
const of = (names: string) => `\\b(?:${names})\\b[^\\n&|;]{0,200}?\\s`

/** Commands, and the option by which each takes a password. */
const options: [commands: string, option: string][] = [
  ['login|mongo|mongosh|mongodump|mongorestore|twine', '-p\\s'],
  ['mysql|mysqldump|mysqladmin|mariadb|7z|7za|unrar', '-p'],
  ['redis-cli', '-a\\s'],
  ['sqlcmd|bcp|zip|unzip', '-P\\s?'],
  ['ldap(?:search|modify|add|whoami|passwd)', '-w\\s'],
  ['ssh-keygen', '-[NP]\\s'],
  ['openssl', '-[kK]\\s'],
  ['secret\\sset', '(?:-b\\s|--body[ =])'],
]

/**
 * Passwords in arguments of commands. A pattern looks back at most 200 characters from a password, so that it takes linear time.
 */
export const commands = [
  ...options.map(([names, option]) => new RegExp(`(?<=${of(names)}${option}${quote})${word}`, 'g')),
  /(?<=\bsshpass\s-p\s?["']?)[^\s"'$<-][^\s"']{2,}/g,
  /(?<=\s-pass(?:in|out)?\s["']?pass:)[^\s"'$<…]{3,}/g,
  // curl -u user:password. Numbers are ids, and equal names those of a user and a group.
  /(?<=\s(?:-u|--(?:proxy-)?user)[ =]?["']?(?<user>[A-Za-z][^\s:"']{0,63}):)(?!\k<user>\b)[^\s"':…]{3,}/g,
  /(?<=\s(?:-u|--(?:proxy-)?user)[ =]?(?<quote>["'])[A-Za-z][^\s:"']{0,63}:)[^"'\n…]{3,}(?=\k<quote>)/g,
  /(?<=\bhttps?\s(?:-a|--auth)[ =]["']?[A-Za-z][^\s:"']{0,63}:)[^\s"':…]{3,}/g,
  /(?<=\s-U\s?["']?[A-Za-z][\w.\\-]{0,63}%)[^\s"'…]{3,}/g,
  /(?<=\bhtpasswd\s-[a-zA-Z]{0,6}b[a-zA-Z]{0,6}\s\S{1,100}\s\S{1,64}\s["']?)[^\s"'$…]{3,}/g,
  /(?<=\bvault\slogin\s)(?=\S{0,60}\d)[^\s=-][^\s=]{7,}/g,
  // A password that is piped into a command.
  /(?<=\becho\s(?:-n\s)?["']?)[^\s"'|$]{4,200}(?=["']?\s?\|\s?(?:sudo\s-S|[^\n|]{1,200}--password-stdin)\b)/g,
  /(?<=\bsudo\s-S\b[^\n|]{0,100}<<<\s?["']?)[^\s"'$]{4,}/g,
  // Oracle's user/password@host.
  /(?<=\b(?:sqlplus\s|oracle:thin:)[\w$]{1,30}\/)[^\s/@]{3,}(?=@)/g,
]
