// One executable plays every role; each subcommand is a file in Commands/.
Moat.Runtime.Launch.SandboxStreams.ReserveNumbers();
return Runsc.CommandLine.Run(args);
