/** Drawings of 16 by 16 pixels, in the colour of the text. */
const drawings = {
  now: 'M8 2.5v11M4.500 5.500v5M11.500 5.500v5M1.500 7.250v1.500M14.500 7.250v1.500',
  runs: 'M2.500 4h11M2.500 8h11M2.500 12h7',
  specs: 'M4 1.750h5.500L12.500 4.750v9.500h-8.500zM6.500 8h3.500M6.500 10.750h3.500',
  features: 'M8 1.750 13.750 5 8 8.250 2.250 5zM2.250 8 8 11.250 13.750 8M2.250 11 8 14.250 13.750 11',
  activity: 'M1.500 8.500h3l2-5.500 3 10 2-4.500h3',
  trends: 'M2 13.500h12M4 11V8M7 11V4.500M10 11V6.500M13 11V3',
  keys: 'M9.200 6.800a3.250 3.250 0 1 0-2.300 2.300l1 .9v1.500h1.500V13h2.600v-2.400zM5.500 5.500h.01',
  search: 'M7 2.500a4.500 4.500 0 1 0 0 9 4.500 4.500 0 0 0 0-9zM10.500 10.500l3.250 3.250',
  sun: 'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1v1.250M8 13.750V15M1 8h1.250M13.750 8H15M3.050 3.050l.9.9M12.050 12.050l.9.9M12.950 3.050l-.9.9M3.950 12.050l-.9.9',
  moon: 'M13.500 9.500A6 6 0 0 1 6.500 2.500a6 6 0 1 0 7 7z',
  leave: 'M6.500 2.500h-4v11h4M6 8h8M11 5l3 3-3 3',
  copy: 'M5.500 5.500h8v8h-8zM3.500 10.500h-1v-8h8v1',
  save: 'M8 2v8M4.750 7 8 10.250 11.250 7M2.500 13.500h11',
  close: 'M4 4l8 8M12 4l-8 8',
  down: 'M4 6l4 4 4-4',
  check: 'M3 8.500l3.250 3.250L13 5',
  cross: 'M4.250 4.250l7.500 7.500M11.750 4.250l-7.500 7.500',
  warn: 'M8 2 14.500 13.500h-13zM8 6.500v3M8 11.500v.01',
  dash: 'M4 8h8',
  clock: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 4.750V8l2.250 1.500',
  link: 'M6.500 9.500l3-3M7 4.500l1.500-1.500a3.180 3.180 0 0 1 4.500 4.500L11.500 9M9 11.500 7.500 13A3.180 3.180 0 0 1 3 8.500L4.500 7',
  branch: 'M4.500 3.500v9M4.500 3.500h.01M4.500 12.500h.01M11.500 4.500h.01M11.500 5v1a3 3 0 0 1-3 3h-1a3 3 0 0 0-3 3',
  folder: 'M1.750 3.500h4l1.500 2h7v7.500H1.750z',
  agent: 'M3.500 6h9v7h-9zM8 3v3M6 9v1M10 9v1M1.500 9v1.500M14.500 9v1.500',
  more: 'M3.500 8h.01M8 8h.01M12.500 8h.01',
  out: 'M6 3H3v10h10v-3M9 2.500h4.500V7M13.500 2.500 7.500 8.500',
} as const

export type IconName = keyof typeof drawings

/** A decorative icon: the text beside it has the meaning. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={drawings[name]} />
    </svg>
  )
}
