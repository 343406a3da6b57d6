import type { ManagedObjectReference, MethodArgs, MethodName, MethodResult, ServiceContent } from '@vic/vim';
import type { CallOptions, VimCaller } from '../index.ts';

/** What a scripted server answers to one method; throwing is answering with a fault. */
export type Script = {
  readonly [M in MethodName]?: (args: MethodArgs<M>, self: ManagedObjectReference, options: CallOptions) => unknown;
};

/** A caller whose answers a test scripts, and what it was asked. */
export interface ScriptedCaller extends VimCaller {
  readonly calls: readonly { readonly method: MethodName; readonly args: unknown }[];
}

/** A caller for what no real server can be made to do: to page at will, to forget, to be away for a moment. */
export function scriptedCaller(script: Script): ScriptedCaller {
  const calls: { method: MethodName; args: unknown }[] = [];
  const reference = (type: string): never => ({ type, value: type }) as never;
  const content: ServiceContent = {
    rootFolder: reference('Folder'),
    propertyCollector: reference('PropertyCollector'),
    about: {
      fullName: 'scripted',
      name: 's',
      vendor: 's',
      version: '6.7',
      build: '1',
      osType: 's',
      productLineId: 's',
      apiType: 'HostAgent',
      apiVersion: '6.7.1',
    },
  };
  return {
    content,
    calls,
    call: async <M extends MethodName>(
      self: ManagedObjectReference,
      method: M,
      args: MethodArgs<M>,
      options: CallOptions = {},
    ): Promise<MethodResult<M>> => {
      options.signal?.throwIfAborted();
      calls.push({ method, args });
      const answer = script[method];
      if (answer === undefined) throw new Error(`the script has no ${method}`);
      return (await answer(args, self, options)) as MethodResult<M>;
    },
  };
}
