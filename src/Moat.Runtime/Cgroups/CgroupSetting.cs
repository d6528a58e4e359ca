namespace Moat.Runtime.Cgroups;

/// <summary>A value for a file of a cgroup.</summary>
/// <param name="File">The file's name; its part before the dot is the controller.</param>
/// <param name="Value">What is written.</param>
/// <param name="IsOptional">Whether a kernel without the file is good enough.</param>
internal readonly record struct CgroupSetting(string File, string Value, bool IsOptional = false)
{
    /// <summary>The controller.</summary>
    public string Controller => File[..File.IndexOf('.')];
}
