/** The tables of `events`. */
export interface EventsTables {}
