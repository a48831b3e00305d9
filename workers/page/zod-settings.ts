/** Imported before every contract: the page's policy forbids the functions that zod compiles otherwise. */
import { z } from 'zod';

z.config({ jitless: true });
