import { onPostgres } from '@vic/sql/testing';
import { proxyCacheSuite } from '../testing/proxy-cache.suite.ts';

onPostgres('proxy cache', proxyCacheSuite);
