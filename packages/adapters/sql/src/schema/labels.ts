/** The tables of `labels`. */
export interface LabelsTables {}
