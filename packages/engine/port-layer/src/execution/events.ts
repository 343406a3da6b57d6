import type { ContainerId, ExecId } from '@vic/ids';
import type { Container } from './container.ts';

/** What can happen to a container. */
export type ContainerHappening =
  | { readonly type: 'container.created' }
  | { readonly type: 'container.started' }
  | { readonly type: 'container.killed'; readonly signal: string }
  | { readonly type: 'container.died'; readonly exitCode: number; readonly durationSeconds: number }
  | { readonly type: 'container.oom' }
  | { readonly type: 'container.stopped' }
  | { readonly type: 'container.restarted' }
  | { readonly type: 'container.renamed'; readonly oldName: string }
  | { readonly type: 'container.resized'; readonly rows: number; readonly columns: number }
  | { readonly type: 'container.removed'; readonly id: ContainerId }
  | { readonly type: 'network.connected' }
  | { readonly type: 'network.disconnected' }
  | { readonly type: 'exec.created'; readonly execId: ExecId }
  | { readonly type: 'exec.started'; readonly execId: ExecId }
  | { readonly type: 'exec.died'; readonly execId: ExecId; readonly exitCode: number };

/** What happens to containers, whoever caused it: an API call, the process itself, or someone at the infrastructure. */
export type PortLayerEvent = { readonly timeNs: bigint; readonly container: Container } & ContainerHappening;
