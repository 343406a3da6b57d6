export type {
  CpuShare,
  DiskAttachment,
  MachineBackend,
  MachineEvent,
  MachineExit,
  MachineSpec,
  MachineUsage,
  NicAttachment,
  PoolShare,
  SerialAttachment,
  SerialBacking,
} from './machine-backend.ts';
export type { DatastoreBackend, DatastoreFile, DatastoreSummary, VirtualDiskInfo } from './datastore-backend.ts';
export type { PortGroup, SwitchBackend } from './switch-backend.ts';
