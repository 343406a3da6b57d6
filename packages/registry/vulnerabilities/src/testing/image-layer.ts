import { END_OF_ARCHIVE, encodeHeader, type TarEntryType } from '@vic/tar';

/** An entry of {@link imageLayer}: a file's content, or something else by its type. */
export type LayerEntry = string | Buffer | { readonly type: TarEntryType; readonly target?: string } | Program;

/** A file that can be executed. */
export interface Program {
  readonly program: Buffer;
}

/** A layer with these entries, as an uncompressed tar. */
export function imageLayer(entries: Readonly<Record<string, LayerEntry>>): Buffer {
  const parts = Object.entries(entries).flatMap(([path, entry]) => {
    const isContent = typeof entry === 'string' || Buffer.isBuffer(entry);
    const content = isContent ? Buffer.from(entry) : 'program' in entry ? entry.program : Buffer.alloc(0);
    const special = isContent || 'program' in entry ? undefined : entry;
    const header = encodeHeader({
      path,
      type: special?.type ?? 'file',
      mode: !isContent && 'program' in entry ? 0o755 : 0o644,
      uid: 0,
      gid: 0,
      mtimeSeconds: 0,
      sizeBytes: content.length,
      linkTarget: special?.target ?? '',
      deviceMajor: 0,
      deviceMinor: 0,
      xattrs: new Map(),
    });
    return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
  });
  return Buffer.concat([...parts, END_OF_ARCHIVE]);
}
