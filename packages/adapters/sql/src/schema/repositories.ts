/** The tables of `repositories`. */
export interface RepositoriesTables {}
