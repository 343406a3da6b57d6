export type { NetworkScope } from './ip-command.ts';
export { interfaceNameFor } from './interface-name.ts';
export {
  createNamespace,
  deleteNamespace,
  inNamespace,
  listNamespaces,
  namespaceExists,
  namespacePath,
} from './namespaces.ts';
export { createBridge, createTap, createVeth, deleteLink, findLink, listLinks, setBridge, setLinkUp } from './links.ts';
export type { Link, VethEnd } from './links.ts';
export { addAddress, listRoutes, setDefaultRoute } from './routes.ts';
export type { Route } from './routes.ts';
export { chooseFreeSubnet, findFreeSubnet } from './free-subnet.ts';
export { deleteTable, listTables, replaceTable, showTable } from './nftables.ts';
export type { NftFamily } from './nftables.ts';
export { readNetworkSetting, writeNetworkSetting } from './network-setting.ts';
