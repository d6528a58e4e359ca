namespace Moat.Oci;

/// <summary>The versions of the runtime specification that are understood.</summary>
public static class SpecVersions
{
    /// <summary>The newest.</summary>
    public const string Newest = "1.2.0";

    /// <summary>Whether a bundle with this version can be run: 1.x with any suffix (semver(7): minor versions only add).</summary>
    public static bool IsSupported(string version) =>
        version.StartsWith("1.", StringComparison.Ordinal) && version.Length > 2 && char.IsAsciiDigit(version[2]);
}
