/** How machines are connected to port groups; `Switches` of `@vic/switches` is one. */
export interface SwitchPorts {
  /** Creates a tap on the port group that only `ownerUid` may open, and gives its name. */
  createTap(portGroup: string, ownerUid: number): Promise<string>;
  /** Connects a namespace to the port group by an interface of that name and MAC; gives the port's name. */
  createVethPort(portGroup: string, namespace: string, interfaceName: string, mac: string): Promise<string>;
  /** Moves a port to another port group, or disconnects it. */
  movePort(port: string, portGroup: string | undefined): Promise<void>;
  removeTap(name: string): Promise<void>;
  removeVethPort(name: string): Promise<void>;
  /** All taps and veth ports there are. */
  listPorts(): Promise<readonly string[]>;
}
