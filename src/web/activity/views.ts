/** Whether *Activity* shows the log instead of what came of the work. */
export const showsEvents = (query: URLSearchParams): boolean =>
  query.get('view') === 'events' || query.has('type') || query.has('subject')
