export { VchExecution } from './execution/index.ts';
export type {
  AttachedStreams,
  Container,
  ContainerHappening,
  ContainerState,
  ExecSession,
  Execution,
  ExecutionConfiguration,
  ExecutionDeps,
  ExecutionNetworks,
  LogLine,
  LogOptions,
  Machine,
  MachineChange,
  MachineInfrastructure,
  MachineNic,
  MachineSpec,
  MachineUpdate,
  NetworkEndpoint,
  NewContainer,
  PortBinding,
  PortLayerEvent,
  PowerState,
  ProcessConfig,
  Shape,
  StartError,
  WaitCondition,
} from './execution/index.ts';
export { VimDatastoreFiles, VimLayerDiskHost, VimLogFiles, VimMachines } from './infrastructure/index.ts';
export type { VimLayerDiskHostDeps, VimMachinesDeps } from './infrastructure/index.ts';
export { listenForTethers } from './interaction/index.ts';
export type { TetherServer } from './interaction/index.ts';
export type { LogFiles } from './logging/index.ts';
export { ContainerNetworks } from './network/index.ts';
export type { ContainerNetwork, NetworkConfiguration } from './network/index.ts';
export { ImageStore } from './storage/index.ts';
export type { Image, ImageStoreDeps, ImageStoreOptions, ImageUser } from './storage/index.ts';
