export { createInventory } from './inventory.ts';
export type { Inventory } from './inventory.ts';
export type { HostCapacity, InventoryOptions } from './model/options.ts';
export { createVimServer } from './server/vim-server.ts';
export type { VimServer, VimServerOptions } from './server/options.ts';
export { hashPassword, writeUsers } from './server/users.ts';
export type { BaseRole, User } from './server/users.ts';
export type {
  CpuShare,
  DatastoreBackend,
  DatastoreFile,
  DatastoreSummary,
  DiskAttachment,
  MachineBackend,
  MachineEvent,
  MachineExit,
  MachineSpec,
  MachineUsage,
  NicAttachment,
  PoolShare,
  PortGroup,
  SerialAttachment,
  SerialBacking,
  SwitchBackend,
  VirtualDiskInfo,
} from './backends/index.ts';
