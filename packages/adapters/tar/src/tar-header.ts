/** The kinds of entries an image may hold. */
export type TarEntryType = 'file' | 'directory' | 'symlink' | 'link' | 'character-device' | 'block-device' | 'fifo';

/**
 * One entry's metadata.
 *
 * Names are byte strings, one character (U+0000 to U+00FF) per byte, because Linux names are bytes and need
 * not be UTF-8; `nameText` decodes them for people.
 */
export interface TarHeader {
  /** Relative, without `.` or `..`; empty for the root itself. */
  readonly path: string;
  readonly type: TarEntryType;
  /** Permission bits with set-user-id, set-group-id and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Whole seconds since 1970. */
  readonly mtimeSeconds: number;
  readonly sizeBytes: number;
  /** Target of a `link` (normalised like `path`) or `symlink` (as it is). */
  readonly linkTarget: string;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** Extended attributes; values are byte strings too. */
  readonly xattrs: ReadonlyMap<string, string>;
}

/** A header that says nothing yet, but for name and type. */
export const PLAIN_HEADER: Omit<TarHeader, 'path' | 'type'> = {
  mode: 0,
  uid: 0,
  gid: 0,
  mtimeSeconds: 0,
  sizeBytes: 0,
  linkTarget: '',
  deviceMajor: 0,
  deviceMinor: 0,
  xattrs: new Map(),
};

/** An entry being read; `content` has to be read, or dropped by going on to the next entry. */
export interface TarEntry extends TarHeader {
  readonly content: AsyncIterable<Buffer>;
}
