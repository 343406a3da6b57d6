export { replaceFile } from './replace-file.ts';
export type { ReplaceFileOptions } from './replace-file.ts';
