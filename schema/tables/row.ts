/**
 * The row of a table that the API shows as `Shown`. It does not compile when a field of the contract has no column, or a
 * column of another type.
 */
export type RowOf<T extends { $inferSelect: Shown }, Shown> = T['$inferSelect'];
