import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useState } from "react";
import { WordsProvider } from "../i18n";
import { SignIn } from "../session/SignIn";
import { CrashGuard } from "./CrashGuard";
import { Splash } from "./Splash";
import { type Services, ServicesProvider, useServices, useSession } from "./services";
import { theme } from "./theme";

// The map is most of the page's weight; whoever still has to sign in doesn't wait for it.
const BoardPage = lazy(() => import("../board/BoardPage").then((module) => ({ default: module.BoardPage })));

export function App({ services }: { services: Services }) {
  return (
    <MantineProvider theme={theme} forceColorScheme="light" withCssVariables={false} withGlobalClasses={false}>
      <ServicesProvider services={services}>
        <QueryClientProvider client={services.queries}>
          <Localised />
        </QueryClientProvider>
      </ServicesProvider>
    </MantineProvider>
  );
}

function Localised() {
  const session = useSession();
  return (
    <WordsProvider theirs={session?.person.language ?? null} timeZone={session?.organisation.timezone ?? null}>
      <Notifications position="top-center" limit={3} autoClose={7000} containerWidth={400} />
      <CrashGuard>
        <Gate />
      </CrashGuard>
    </WordsProvider>
  );
}

function Gate() {
  const session = useSession();
  const settled = useSettled();
  const { queries } = useServices();
  const signedIn = session !== null;
  useEffect(() => {
    if (!signedIn) queries.clear(); // the next person at this desk must not see what the last one saw
  }, [signedIn, queries]);
  if (!settled) return <Splash />;
  if (!session) return <SignIn />;
  return (
    <Suspense fallback={<Splash />}>
      <BoardPage key={session.person.id} />
    </Suspense>
  );
}

function useSettled(): boolean {
  const { session } = useServices();
  const [settled, setSettled] = useState(session.current() !== null);
  useEffect(() => {
    void session.settle().then(() => setSettled(true));
  }, [session]);
  return settled;
}
