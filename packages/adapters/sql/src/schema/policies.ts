/** The tables of `policies`. */
export interface PoliciesTables {}
