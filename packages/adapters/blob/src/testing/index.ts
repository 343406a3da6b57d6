export { temporaryBlobStore } from './temporary-blob-store.ts';
