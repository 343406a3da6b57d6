/** The tables of `tokens`. */
export interface TokensTables {}
