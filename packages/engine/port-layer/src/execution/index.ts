export type {
  Container,
  ContainerState,
  NetworkEndpoint,
  NewContainer,
  PortBinding,
  ProcessConfig,
  Shape,
  StartError,
  WaitCondition,
} from './container.ts';
export type { AttachedStreams, ExecSession, Execution, LogLine, LogOptions } from './execution.ts';
export type { ContainerHappening, PortLayerEvent } from './events.ts';
export { VchExecution } from './vch-execution.ts';
export type { ExecutionConfiguration, ExecutionDeps, ExecutionNetworks } from './dependencies.ts';
export type {
  Machine,
  MachineChange,
  MachineInfrastructure,
  MachineNic,
  MachineSpec,
  MachineUpdate,
  PowerState,
} from './machine.ts';
