namespace Moat.Kernel.Credentials;

/// <summary>A user namespace (user_namespaces(7)).</summary>
/// <param name="parent">The one it was made in; null for the initial one.</param>
public sealed class UserNamespace(UserNamespace? parent)
{
    /// <summary>The one it was made in.</summary>
    public UserNamespace? Parent { get; } = parent;
}
