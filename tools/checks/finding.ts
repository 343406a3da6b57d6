/** Something a check found wrong, at a place a person can open. */
export interface Finding {
  /** Path relative to the repository's root, with a line where there is one. */
  readonly place: string;
  readonly message: string;
}

/** A home-made check: gives findings for the repository at `root`. */
export type Check = (root: string) => Promise<readonly Finding[]>;
