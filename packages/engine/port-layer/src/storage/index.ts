export { ImageStore } from './image-store.ts';
export type { ImageStoreDeps, ImageStoreOptions } from './image-store.ts';
export type { AttachedDisk, LayerDiskHost } from './layer-disk-host.ts';
export type { DatastoreFiles } from './datastore-files.ts';
export type { Image, ImageUser } from './image.ts';
