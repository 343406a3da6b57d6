export type {
  ConsoleSize,
  DnsSpec,
  HostEntry,
  InterfaceSpec,
  LaunchSpec,
  ProcessSpec,
  ResourceLimit,
  TmpfsMount,
} from './launch-spec.ts';
export type { EndpointMessage, ExitStatus, StartFailureKind, StatusMessage, TetherMessage, TetherState } from './message.ts';
