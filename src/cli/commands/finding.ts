/** What one look of `conduct doctor` found: `note` is no judgement. */
export interface Finding {
  about: string
  state: 'ok' | 'note' | 'warn' | 'fail'
  told: string
}

export const found = (about: string, state: Finding['state'], told: string): Finding => ({ about, state, told })
