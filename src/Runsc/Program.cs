// One executable plays every role; each subcommand is a file in Commands/.
return Runsc.CommandLine.Run(args);
