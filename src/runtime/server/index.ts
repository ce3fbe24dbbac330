export * as Dispatch from "./Dispatch.ts"
export * as Handler from "./Handler.ts"
export * as Server from "./Server.ts"
export * as Versions from "./Versions.ts"
