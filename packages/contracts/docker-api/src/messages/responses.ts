import type { ContainerConfig } from './container-config.ts';

/** An event on the wire. The first three fields are the form of old clients, for containers and images only. */
export interface EventMessage {
  readonly status?: string;
  readonly id?: string;
  readonly from?: string;
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly scope: 'local';
  readonly time: number;
  readonly timeNano: number;
}

/** A port in a container list. */
export interface PortSummary {
  readonly IP?: string;
  readonly PrivatePort: number;
  readonly PublicPort?: number;
  readonly Type: string;
}

/** An endpoint in inspect and list. */
export interface EndpointAnswer {
  readonly IPAMConfig: { readonly IPv4Address?: string } | null;
  readonly Links: null;
  readonly Aliases: readonly string[] | null;
  readonly MacAddress: string;
  readonly DriverOpts: null;
  readonly GwPriority: number;
  readonly NetworkID: string;
  readonly EndpointID: string;
  readonly Gateway: string;
  readonly IPAddress: string;
  readonly IPPrefixLen: number;
  readonly IPv6Gateway: string;
  readonly GlobalIPv6Address: string;
  readonly GlobalIPv6PrefixLen: number;
  readonly DNSNames: readonly string[] | null;
}

/** A container in `GET /containers/json`. */
export interface ContainerSummary {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Image: string;
  readonly ImageID: string;
  readonly Command: string;
  readonly Created: number;
  readonly Ports: readonly PortSummary[];
  readonly SizeRw?: number;
  readonly SizeRootFs?: number;
  readonly Labels: Readonly<Record<string, string>>;
  readonly State: string;
  readonly Status: string;
  readonly HostConfig: { readonly NetworkMode: string };
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, EndpointAnswer>> };
  readonly Mounts: readonly never[];
}

/** The state of a container in inspect. */
export interface StateAnswer {
  readonly Status: string;
  readonly Running: boolean;
  readonly Paused: false;
  readonly Restarting: false;
  readonly OOMKilled: boolean;
  readonly Dead: false;
  readonly Pid: number;
  readonly ExitCode: number;
  readonly Error: string;
  readonly StartedAt: string;
  readonly FinishedAt: string;
}

/** Ports in inspect: `null` for one that is exposed but not published. */
export type PortMap = Readonly<
  Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[] | null>
>;

/** An image in `GET /images/json`. */
export interface ImageSummary {
  readonly Containers: number;
  readonly Created: number;
  readonly Id: string;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly ParentId: string;
  readonly RepoDigests: readonly string[] | null;
  readonly RepoTags: readonly string[] | null;
  readonly SharedSize: number;
  readonly Size: number;
  readonly VirtualSize?: number;
}

/** A line of `GET /images/{name}/history`. */
export interface HistoryItem {
  readonly Comment: string;
  readonly Created: number;
  readonly CreatedBy: string;
  readonly Id: string;
  readonly Size: number;
  readonly Tags: readonly string[] | null;
}

/** The configuration in inspect, with the fields Docker never leaves out. */
export type ConfigAnswer = Omit<
  ContainerConfig,
  'Cmd' | 'Entrypoint' | 'Env' | 'Volumes' | 'OnBuild' | 'Healthcheck'
> & {
  readonly Cmd: readonly string[] | null;
  readonly Entrypoint: readonly string[] | null;
  readonly Env: readonly string[] | null;
  readonly Volumes: Readonly<Record<string, object>> | null;
  readonly OnBuild: readonly string[] | null;
  readonly Healthcheck?: object;
};
