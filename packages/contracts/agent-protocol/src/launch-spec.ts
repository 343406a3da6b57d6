/** A size of a terminal, in character cells. */
export interface ConsoleSize {
  readonly rows: number;
  readonly cols: number;
}

/** A program to run: what `launch` and `exec` have in common. */
export interface ProcessSpec {
  /** The program and its arguments; a name without a slash is looked up in the PATH of {@link env}. */
  readonly args: readonly string[];
  /** `NAME=value` entries; PATH, HOME and HOSTNAME (and TERM with a terminal) are added when missing. */
  readonly env: readonly string[];
  /** Absolute working directory; created when missing. */
  readonly cwd: string;
  /** `user`, `user:group`, by name or number, looked up in the container's own files; empty for root. */
  readonly user: string;
  /** Supplementary groups by name or number, besides those of the user. */
  readonly groups: readonly string[];
  readonly tty: boolean;
  /** Initial size of the terminal; only with {@link tty}. */
  readonly consoleSize?: ConsoleSize;
  /** Whether standard input stays open for attached clients; it is /dev/null otherwise. */
  readonly openStdin: boolean;
}

/** One limit of setrlimit(2), by its number in Linux. */
export interface ResourceLimit {
  readonly resource: number;
  readonly soft: number;
  readonly hard: number;
}

/** One network interface to configure. */
export interface InterfaceSpec {
  /** Finds the interface, in lower-case colon form. */
  readonly mac: string;
  /**
   * With `true`, an interface with this address need not exist: the first one no other entry names gets the
   * address. An instant clone's first interface still carries its template's address.
   */
  readonly setMac: boolean;
  /** Name the interface gets. */
  readonly name: string;
  /** IPv4 or IPv6 addresses in CIDR form. */
  readonly addresses: readonly string[];
  /** Address of the default gateway. */
  readonly gateway?: string;
  readonly mtu?: number;
}

/** What `/etc/resolv.conf` is written from. */
export interface DnsSpec {
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

/** One line of `/etc/hosts`. */
export interface HostEntry {
  readonly address: string;
  readonly names: readonly string[];
}

/** A tmpfs to mount in the container. */
export interface TmpfsMount {
  readonly path: string;
  readonly sizeBytes?: number;
  /** Permission bits of its root. */
  readonly mode?: number;
  readonly readonly: boolean;
  readonly noexec: boolean;
}

/** Everything the tether needs to turn its virtual machine into the container. */
export interface LaunchSpec {
  /** The time now, in nanoseconds since 1970, as a decimal string. */
  readonly time: string;
  /** Random bytes for the kernel's pool, hexadecimal, 16 to 128 bytes. */
  readonly entropy: string;
  readonly hostname: string;
  readonly domainname: string;
  readonly interfaces: readonly InterfaceSpec[];
  readonly dns: DnsSpec;
  readonly hosts: readonly HostEntry[];
  readonly process: ProcessSpec;
  readonly limits: readonly ResourceLimit[];
  readonly readonlyRootfs: boolean;
  readonly shmSizeBytes: number;
  readonly tmpfs: readonly TmpfsMount[];
}
