import { masked } from '../../ledger/secret.ts'

const mark = '[masked]'

/** What the rules leave: a key block that is cut off or of an odd form, and tokens known by what stands before them. */
const leftOver = [
  /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----|$)/g,
  /\bsk-[A-Za-z0-9_-]{32,}/g,
  /\bAIza[A-Za-z0-9_-]{35}/g,
  /\bhf_[A-Za-z0-9]{34}\b/g,
  /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/g,
  /(?<=\bBearer )[A-Za-z0-9._~+/-]{20,}=*/gi,
  /(?<=:\/\/[^\s/:@]{0,100}:)[^\s/@]+(?=@)/g,
]

/** The text without the secrets in it whose form is known: keys of services, private keys, passwords in addresses. */
export async function mask(text: string): Promise<string> {
  if (text === '') return text
  // By what was found, not by where: some rules tell too short a range. Longest first, since one may hold another.
  const secrets = (await secretsIn(text)).sort((a, b) => b.length - a.length)
  const known = secrets.reduce((rest, secret) => rest.replaceAll(secret, mark), text)
  return leftOver.reduce((rest, pattern) => rest.replace(pattern, mark), masked(known))
}

async function secretsIn(content: string): Promise<string[]> {
  // Loaded only where there is something to mask.
  const [{ lintSource }, { rules }] = await Promise.all([
    import('@secretlint/core'),
    import('@secretlint/secretlint-rule-preset-recommend'),
  ])
  // A comment in the text must not turn the rules off.
  const chosen = rules.filter(({ meta }) => meta.id !== '@secretlint/secretlint-rule-filter-comments')
  const { messages } = await lintSource({
    // Under this name npm's settings are looked for too.
    source: { content, filePath: '.npmrc', contentType: 'text' },
    options: {
      noPhysicFilePath: true,
      config: { rules: chosen.map((rule) => ({ id: rule.meta.id, rule, options: { enableIDScanRule: true } })) },
    },
  })
  return messages.flatMap(({ data, range: [start, end] }) => {
    const told = Object.values(data ?? {}).filter((value) => typeof value === 'string' && content.includes(value))
    return told.length > 0 ? (told as string[]) : [content.slice(start, end)]
  })
}
