import sql, { type Sql } from 'sql-template-tag'

/** As `floor` does, because the engines and JavaScript round halves in different ways. */
const billionths = (usd: Sql) => sql`floor((${usd}) * 1e9 + 0.5)`

/** As `wholeCost`. */
export const wholeCostOf = (usd: Sql): Sql => sql`${billionths(usd)} / 1e9`

/** The sum of a column of costs, each as a whole cost; 0 if there are none. */
export const sumOfCosts = (column: Sql): Sql => sql`coalesce(sum(${billionths(column)}), 0.0) / 1e9`
