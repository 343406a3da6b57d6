/** A port group as the inventory keeps it. */
export interface PortGroup {
  readonly name: string;
  readonly virtualSwitch: string;
  /** 0 for none. */
  readonly vlanId: number;
}

/**
 * Makes port groups real. The inventory keeps the list and calls {@link ensure} for each at start; every
 * call can be repeated.
 */
export interface SwitchBackend {
  /** Creates the port group's bridge in hostd's network namespace unless it is there. */
  ensure(portGroup: PortGroup): Promise<void>;
  /** Removes the bridge; a Conflict when machines are still connected. */
  remove(name: string): Promise<void>;
}
