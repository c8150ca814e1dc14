import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import { Icon } from '../ui/icon.tsx'
import { dateWords } from '../ui/time.tsx'
import type { Series } from './chart.tsx'

const heightPx = 160

interface Props {
  labels: string[]
  series: Series[]
}

/** One bar per day, with the series stacked. Draws again when the data, the size or the theme changes. */
export default function Bars({ labels, series }: Props) {
  const place = useRef<HTMLDivElement>(null)
  const legend = useRef<HTMLUListElement>(null)
  const drawn = JSON.stringify([labels, series])
  useEffect(() => {
    const room = place.current
    const swatches = legend.current
    if (!room || !swatches) return
    let plot: uPlot | undefined
    const draw = () => {
      plot?.destroy()
      plot = new uPlot(optionsOf(labels, series, swatches, room.clientWidth), stacked(labels, series), room)
    }
    const theme = matchMedia('(prefers-color-scheme: dark)')
    const root = new MutationObserver(draw)
    root.observe(document.documentElement, { attributeFilter: ['data-theme'] })
    theme.addEventListener('change', draw)
    const size = new ResizeObserver(() => plot?.setSize({ width: room.clientWidth, height: heightPx }))
    draw()
    size.observe(room)
    return () => {
      size.disconnect()
      root.disconnect()
      theme.removeEventListener('change', draw)
      plot?.destroy()
    }
  }, [drawn])
  return (
    <>
      <ul ref={legend} class="legend">
        {series.map(({ word, icon }) => (
          <li key={word} class={`swatch ${word.toLowerCase().replace(' ', '-')}`}>
            <Icon name={icon} />
            <span>{word}</span>
          </li>
        ))}
      </ul>
      <div ref={place} class="bars" />
    </>
  )
}

/** Running sums from the bottom, highest first, so that each series is drawn over the one before. */
function stacked(labels: string[], series: Series[]): uPlot.AlignedData {
  const sums = labels.map(() => 0)
  const layers = series.map(({ values }) =>
    values.map((value, index) => (sums[index] = (sums[index] ?? 0) + (value ?? 0))),
  )
  return [labels.map((_, index) => index), ...layers.reverse()]
}

/** A day without its year. */
const axisDay = (day = '') => (day && dateWords(day).split(',', 1)[0]) ?? ''

const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 2 })
/** A chart of whole numbers has no fractional grid lines. */
const wholeSteps = Array.from({ length: 13 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat()

function optionsOf(labels: string[], series: Series[], swatches: HTMLElement, width: number): uPlot.Options {
  const colours = [...swatches.children].map((swatch) => getComputedStyle(swatch).color)
  const soft = getComputedStyle(swatches).color
  const isWhole = series.every(({ values }) => values.every((value) => value === null || Number.isInteger(value)))
  const bars = uPlot.paths.bars?.({ size: [0.7, 28] })
  return {
    width,
    height: heightPx,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 12, 0, 0],
    scales: {
      x: { time: false, range: () => [-0.6, labels.length - 0.4] },
      y: { range: (_, __, max) => [0, Math.max(isWhole ? 4 : 0, max) || 1] },
    },
    axes: [
      {
        stroke: soft,
        size: 28,
        grid: { show: false },
        ticks: { show: false },
        incrs: [1, 2, 5, 7, 14, 30],
        space: 54,
        values: (_, at) => at.map((index) => axisDay(labels[index])),
      },
      {
        stroke: soft,
        size: 44,
        ...(isWhole && { incrs: wholeSteps }),
        values: (_, at) => at.map((value) => compact.format(value)),
        ticks: { show: false },
        grid: { stroke: getComputedStyle(swatches).borderTopColor, width: 1 },
      },
    ],
    // Each layer ends at the one below it, whose edges would otherwise let its colour through.
    bands: series.slice(1).map((_, index) => ({ series: [index + 1, index + 2] })),
    series: [
      {},
      ...series.map((_, index) => ({ paths: bars, points: { show: false }, fill: colours[index], width: 0 })).reverse(),
    ],
  }
}
