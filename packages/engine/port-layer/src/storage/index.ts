export type { AttachedDisk, LayerDiskHost } from './layer-disk-host.ts';
export type { DatastoreFiles } from './datastore-files.ts';
export type { Image, ImageLayer, ImageUser, RemovedItem, RemoveOptions } from './image.ts';
