/** Types of `built.js`. */
export declare function builtFile(name: string): string;
export declare function isBuilt(): boolean;
