export { VimDatastoreFiles, VimLogFiles } from './vim-datastore-files.ts';
export { VimLayerDiskHost } from './vim-layer-disk-host.ts';
export type { VimLayerDiskHostDeps } from './vim-layer-disk-host.ts';
export { VimMachines } from './vim-machines.ts';
export type { VimMachinesDeps } from './vim-machines.ts';
