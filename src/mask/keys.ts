/**
 * Keys of services that secretlint does not find, and hashes of passwords, by their form. Each pattern begins with fixed letters
 * and reads a fixed length or the alphabet of the key, so that it takes linear time.
 */
export const keys = [
  /\bsk-[A-Za-z0-9_-]{32,}/g,
  /\bAIza[A-Za-z0-9_-]{35}/g,
  /\bhf_[A-Za-z0-9]{34}\b/g,
  /\bpypi-AgE[A-Za-z0-9_-]{40,}/g,
  // Google: access and refresh tokens.
  /\bya29\.[A-Za-z0-9_-]{20,}/g,
  /\b1\/\/0[A-Za-z0-9_-]{20,}/g,
  /\bGOCSPX-[A-Za-z0-9_-]{28}/g,
  // GitLab: runners, deployments, triggers, feeds and others. age.
  /\bgl(?:rtr?|dt|cbt|ptt|ft|imt|agent|wt|soat|ffct|oas)-[A-Za-z0-9_.-]{20,}/g,
  /\bAGE-SECRET-KEY-1[0-9A-Z]{58}\b/g,
  // Airtable, Atlassian, Buildkite, CircleCI, crates.io, DigitalOcean, Doppler, Facebook.
  /\bpat[A-Za-z0-9]{14}\.[0-9a-f]{64}\b/g,
  /\bATATT3x[A-Za-z0-9_=-]{50,}/g,
  /\bbkua_[0-9a-f]{40}\b/g,
  /\bCCIPAT_[A-Za-z0-9]{22}_[0-9a-f]{40}\b/g,
  /\bcio[A-Za-z0-9]{32}\b/g,
  /\bdo[opr]_v1_[0-9a-f]{64}\b/g,
  /\bdp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9]{40,}/g,
  /\bEAACEdEose0cBA[A-Za-z0-9]{20,}/g,
  // Grafana Cloud, Mailchimp, Mailgun, Netlify, New Relic, Notion, Perplexity, Postman, Pulumi.
  /\bglc_[A-Za-z0-9+/=]{32,}/g,
  /\b[0-9a-f]{32}-us\d{1,2}\b/g,
  /\bkey-[0-9a-f]{32}\b/g,
  /\bnfp_[A-Za-z0-9]{36}\b/g,
  /\bNRAK-[A-Z0-9]{27}\b/g,
  /\bntn_[A-Za-z0-9]{40,}/g,
  /\bsecret_[A-Za-z0-9]{43}\b/g,
  /\bpplx-[A-Za-z0-9]{40,}/g,
  /\bPMAK-[0-9a-f]{24}-[0-9a-f]{34}\b/g,
  /\bpul-[0-9a-f]{40}\b/g,
  // Replicate, RubyGems, Sentry, Square, Supabase, Telegram, Twilio, webhooks, Slack's apps, xAI.
  /\br8_[A-Za-z0-9]{37}\b/g,
  /\brubygems_[0-9a-f]{48}\b/g,
  /\bsntry[su]_[A-Za-z0-9_=+/]{40,}/g,
  /\bsq0(?:atp|csp)-[A-Za-z0-9_-]{22,}/g,
  /\bsbp_[0-9a-f]{40}\b/g,
  /(?<!\d)\d{8,10}:AA[A-Za-z0-9_-]{33}\b/g,
  /\bSK[0-9a-f]{32}\b/g,
  /\bwhsec_[A-Za-z0-9+/=]{24,}/g,
  /\bxapp-\d-[A-Z0-9]{8,20}-\d{10,20}-[0-9a-f]{32,}/g,
  /\bxai-[A-Za-z0-9]{60,}/g,
  // Webhook URLs, which need no other key, and signed URLs.
  /(?<=\bdiscord(?:app)?\.com\/api\/webhooks\/\d{17,20}\/)[\w-]{40,}/g,
  /(?<=\/IncomingWebhook\/)[0-9a-f]{32}\b/g,
  /(?<=[?&](?:sig|(?:X-(?:Amz|Goog)-)?Signature)=)[A-Za-z0-9%+/_-]{20,}/gi,
  // Hashes of passwords by crypt, Apache, bcrypt and Argon2.
  /\$(?:apr1|[156y])\$[./A-Za-z0-9]{1,32}\$[./A-Za-z0-9]{22,}/g,
  /\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}/g,
  /\$argon2(?:id|i|d)\$v=\d{1,3}\$[\w=,]{1,60}\$[+/A-Za-z0-9]{8,100}\$[+/A-Za-z0-9]{20,}/g,
]
