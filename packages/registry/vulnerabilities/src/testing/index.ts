export { imageLayer } from './image-layer.ts';
export type { LayerEntry, Program } from './image-layer.ts';
export { osvDocuments } from './osv-documents.ts';
