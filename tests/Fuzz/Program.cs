using Moat.Fuzz;

// tools/fuzz runs this; see there.
return args switch
{
    ["list"] => Commands.List(),
    ["seeds", string target, string folder] => Commands.WriteSeeds(target, folder),
    ["instrument", string folder] => Instrumentation.Apply(folder),
    ["run", string target] => Commands.Run(target),
    ["replay", string target, .. string[] files] => Commands.Replay(target, files),
    _ => Commands.Usage(),
};
