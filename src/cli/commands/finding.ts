/** One result of `conduct doctor`. A `note` is neither good nor bad. */
export interface Finding {
  about: string
  state: 'ok' | 'note' | 'warn' | 'fail'
  told: string
}

export const found = (about: string, state: Finding['state'], told: string): Finding => ({ about, state, told })
