/** The tables of `projects`. */
export interface ProjectsTables {}
