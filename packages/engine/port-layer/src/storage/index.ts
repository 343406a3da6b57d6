export { ImageStore } from './image-store.ts';
export type { ImageStoreDeps, ImageStoreOptions, PullRequest } from './image-store.ts';
export type { AttachedDisk, LayerDiskHost } from './layer-disk-host.ts';
export type { DatastoreFiles } from './datastore-files.ts';
export type { Image, ImageLayer, ImageUser, RemovedItem, RemoveOptions } from './image.ts';
