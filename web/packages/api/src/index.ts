export { type Answer, type Api, answered, apiFor, type Body } from "./client";
export { type LinkState, listen, type ServerEvent } from "./events";
export { ApiProblem, problemIn, SignedOut, Unreachable } from "./problem";
export { type Credentials, type Session, SessionKeeper } from "./session";
