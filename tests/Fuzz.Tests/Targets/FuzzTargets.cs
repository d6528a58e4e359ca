namespace Moat.Fuzz.Targets;

/// <summary>All targets.</summary>
internal static class FuzzTargets
{
    /// <summary>One of each.</summary>
    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new FramesTarget(),
        new HeadersTarget(),
        new PayloadsTarget(),
        new FragmentsTarget(),
        new SegmentsTarget(),
        new RulesetsTarget(),
        new TablesTarget(),
        new FiltersTarget(),
        new ConfigurationTarget(),
        new ExecutablesTarget(),
        new RouteTarget(),
        new FileServerTarget(),
        new FileClientTarget(),
    ];

    /// <summary>The one with a name.</summary>
    public static FuzzTarget Find(string name) => All.First(target => target.Name == name);
}
