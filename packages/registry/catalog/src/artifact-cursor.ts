import { VicError } from '@vic/errors';

/** Where a page of artifacts ended, and what the list had in all when it began. */
export interface ArtifactCursor {
  readonly pushedAtMs: number;
  readonly id: number;
  readonly total: number;
}

/** The cursor as the `Link` to the next page carries it. */
export function formatCursor({ pushedAtMs, id, total }: ArtifactCursor): string {
  return `${pushedAtMs}.${id}.${total}`;
}

/** Reads {@link formatCursor}'s text. */
export function parseCursor(text: string): ArtifactCursor {
  const [, pushedAtMs, id, total] = /^(\d{1,15})\.(\d{1,15})\.(\d{1,15})$/.exec(text) ?? [];
  if (pushedAtMs === undefined || id === undefined || total === undefined) {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'LIST_QUERY_INVALID',
      message: 'invalid list query: cursor is only found in the link to a next page',
    });
  }
  return { pushedAtMs: Number(pushedAtMs), id: Number(id), total: Number(total) };
}
