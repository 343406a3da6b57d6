import type { ContainerId, ImageId, NetworkId } from '@vic/ids';

/** The process of a container, or of an exec session. */
export interface ProcessConfig {
  /** Program and arguments; never empty. */
  readonly args: readonly string[];
  /** `NAME=value` in order. */
  readonly env: readonly string[];
  /** Absolute; `/` when the image says nothing. */
  readonly cwd: string;
  /** `name`, `uid`, `name:group` … as Docker's `--user`; resolved by the tether from the image's files. Empty for root. */
  readonly user: string;
  /** Supplementary groups by name or number (`--group-add`). */
  readonly groups: readonly string[];
  readonly tty: boolean;
  readonly consoleSize: { readonly rows: number; readonly columns: number } | undefined;
  readonly openStdin: boolean;
  /** Close standard input when the first attached client that sends it goes away. */
  readonly stdinOnce: boolean;
}

/** A container port published at the VCH's address. */
export interface PortBinding {
  readonly containerPort: number;
  readonly protocol: 'tcp' | 'udp';
  /** As asked; empty for all addresses. */
  readonly hostAddress: string;
  /** 0 asks for an ephemeral port, chosen at start. */
  readonly hostPort: number;
}

/** A container's place in a network. Addresses are held from create to remove. */
export interface NetworkEndpoint {
  readonly network: string;
  readonly networkId: NetworkId;
  /** Names besides the container's own and its short id. */
  readonly aliases: readonly string[];
  readonly mac: string;
  /** Dotted quad. */
  readonly address: string;
  readonly prefixLength: number;
  readonly gateway: string;
}

/** vCPUs and memory of the container VM. */
export interface Shape {
  readonly cpus: number;
  readonly memoryMiB: number;
}

/** What the personality asks for. Everything here is honoured, or {@link Execution.create} refuses. */
export interface NewContainer {
  readonly id: ContainerId;
  /** Without a leading slash; unique in the VCH. */
  readonly name: string;
  readonly imageId: ImageId;
  /** The reference the user gave, for display. */
  readonly imageReference: string;
  readonly process: ProcessConfig;
  readonly stopSignal: string;
  readonly stopTimeoutSeconds: number;
  readonly hostname: string;
  readonly domainname: string;
  readonly shape: Shape | undefined;
  /** `bridge`, `none`, or a container network's name; `undefined` for the default. */
  readonly network: string | undefined;
  readonly networkAliases: readonly string[];
  readonly requestedAddress: string | undefined;
  readonly ports: readonly PortBinding[];
  readonly dns: {
    readonly servers: readonly string[];
    readonly search: readonly string[];
    readonly options: readonly string[];
  };
  readonly extraHosts: readonly { readonly address: string; readonly name: string }[];
  readonly readonlyRootfs: boolean;
  readonly shmSizeBytes: number;
  readonly tmpfs: readonly { readonly path: string; readonly options: string }[];
  readonly ulimits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
  readonly autoRemove: boolean;
  /** The personality's own record (Docker's Config and HostConfig), kept with the VM word for word. */
  readonly personality: string;
}

/** The life of a container. `created` and `exited` may be powered on or off; only the tether's report makes `running`. */
export type ContainerState =
  | { readonly status: 'created'; readonly startError?: StartError }
  | { readonly status: 'running'; readonly startedAt: string; readonly pid: number }
  | {
      readonly status: 'exited';
      readonly startedAt: string;
      readonly finishedAt: string;
      readonly exitCode: number;
      readonly oomKilled: boolean;
      /** Why the infrastructure, not the process, ended it. */
      readonly error?: string;
    }
  | { readonly status: 'removing' };

/** Why a process could not be started; `exitCode` is Docker's (125, 126 or 127). */
export interface StartError {
  readonly exitCode: number;
  readonly message: string;
}

/** A container as the port layer knows it at one moment. */
export interface Container {
  readonly config: NewContainer;
  readonly createdAt: string;
  readonly state: ContainerState;
  readonly shape: Shape;
  /** Undefined for network `none`. */
  readonly endpoint: NetworkEndpoint | undefined;
  /** Bindings in force while running, with the host ports chosen. */
  readonly publishedPorts: readonly PortBinding[];
  readonly restartCount: number;
  /** Name of the VM and datastore path of its folder, for inspect. */
  readonly vm: { readonly name: string; readonly path: string };
}

/** When {@link Execution.wait} is done. */
export type WaitCondition = 'not-running' | 'next-exit' | 'removed';
