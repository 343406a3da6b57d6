/** The tables of `jobs`. */
export interface JobsTables {}
