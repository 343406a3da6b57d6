export { normalizeName } from './entry-name.ts';
export { readTar } from './read-tar.ts';
export type { TarEntry, TarEntryType, TarHeader } from './tar-header.ts';
export { encodeHeader, END_OF_ARCHIVE } from './encode-header.ts';
export { decodeLayerDirectories, encodeLayerDirectories } from './layer-directories.ts';
export type { DirectoryMetadata, LayerDirectories } from './layer-directories.ts';
export { LayerReplanError, transformLayer } from './transform-layer.ts';
export type { LayerPlan, LayerSummary, TransformOptions } from './transform-layer.ts';
